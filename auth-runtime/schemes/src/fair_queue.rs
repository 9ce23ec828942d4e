//! A bounded number of places for tasks on behalf of clients, shared fairly.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use auth_runtime_core::Client;
use tokio::sync::oneshot::{self, Receiver, Sender};

/// Returns the owner of a client's share. For an IPv6 address, it is the network of 64 bits, since a site
/// has such a network for itself.
pub(super) fn owner(client: Client) -> Client {
    const SITE: u128 = u128::MAX << 64;
    match client {
        Client::Address(address) => Client::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & SITE).into(),
            address => address,
        }),
        client => client,
    }
}

/// A fixed number of places, each with a value of `T`, which the place keeps.
///
/// Waiting tasks are served in turn by client, and those of one client in their order. If the queue is
/// full, the newest task of the client with the most tasks is removed. A client with many tasks therefore
/// delays another one by one task at a time, and takes no place in the queue from it.
pub(super) struct FairQueue<T: Default> {
    state: Mutex<QueueState<T>>,
    /// The maximum number of places of one client, unless it is unknown.
    share: usize,
    /// The maximum number of waiting tasks.
    capacity: usize,
}

struct QueueState<T: Default> {
    /// Empty while tasks wait, except for those of clients that hold their share.
    free: Vec<T>,
    /// The number of places that each client holds; none of them is zero.
    held: HashMap<Client, usize>,
    /// By client, oldest first; none of them is empty.
    waiting: HashMap<Client, VecDeque<Sender<QueuePlace<T>>>>,
    /// The clients with waiting tasks, in the order of their turns.
    turns: VecDeque<Client>,
    /// The number of waiting tasks.
    len: usize,
}

/// A place of a client, for as long as it is held.
pub(super) struct QueuePlace<T: Default> {
    /// `None` if it was handed on.
    queue: Option<Arc<FairQueue<T>>>,
    client: Client,
    pub(super) value: T,
}

impl<T: Default> FairQueue<T> {
    /// A queue with `places`, of which one client holds at most `share`, unless it is unknown, and with
    /// room for `capacity` waiting tasks.
    pub(super) fn new(places: usize, share: usize, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(QueueState {
                free: std::iter::repeat_with(T::default).take(places).collect(),
                held: HashMap::new(),
                waiting: HashMap::new(),
                turns: VecDeque::new(),
                len: 0,
            }),
            share,
            capacity,
        })
    }

    /// A place for a task of `client`, at once or later; `None` if too many wait.
    pub(super) async fn place(self: &Arc<Self>, client: Client) -> Option<QueuePlace<T>> {
        let turn = match self.enter(client)? {
            Entered::Place(place) => return Some(place),
            Entered::Queue(turn) => turn,
        };
        turn.await.ok()
    }

    fn enter(self: &Arc<Self>, client: Client) -> Option<Entered<T>> {
        let mut state = self.lock();
        if state.may_hold_more(client, self.share)
            && let Some(value) = state.free.pop()
        {
            *state.held.entry(client).or_default() += 1;
            return Some(Entered::Place(self.with(client, value)));
        }
        state.add(client, self.capacity).map(Entered::Queue)
    }

    fn with(self: &Arc<Self>, client: Client, value: T) -> QueuePlace<T> {
        QueuePlace {
            queue: Some(Arc::clone(self)),
            client,
            value,
        }
    }

    /// Hands the value of a place that `client` held to the next task, or keeps it for a later one.
    fn hand_on(self: &Arc<Self>, mut client: Client, mut value: T) {
        loop {
            let mut state = self.lock();
            state.release(client);
            let Some((next, task)) = state.next(self.share) else {
                state.free.push(value);
                return;
            };
            *state.held.entry(next).or_default() += 1;
            drop(state);
            // A client that is gone does not take it.
            match task.send(self.with(next, value)).err() {
                Some(mut place) => {
                    place.queue = None;
                    (client, value) = (next, std::mem::take(&mut place.value));
                }
                None => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Entered<T: Default> {
    Place(QueuePlace<T>),
    Queue(Receiver<QueuePlace<T>>),
}

impl<T: Default> QueueState<T> {
    fn held_by(&self, client: Client) -> usize {
        self.held.get(&client).copied().unwrap_or_default()
    }

    /// Unknown clients may be all that there are, and have no share. Clients behind a proxy without an
    /// address have one: each client can spoil the field of its proxy.
    fn may_hold_more(&self, client: Client, share: usize) -> bool {
        client == Client::Unknown || self.held_by(client) < share
    }

    fn release(&mut self, client: Client) {
        match self.held_by(client) {
            0 | 1 => self.held.remove(&client),
            more => self.held.insert(client, more - 1),
        };
    }

    fn add(&mut self, client: Client, capacity: usize) -> Option<Receiver<QueuePlace<T>>> {
        if self.len >= capacity {
            self.remove_gone();
        }
        if self.len >= capacity {
            self.make_room_for(client)?;
        }
        let (sender, turn) = oneshot::channel();
        let tasks = self.waiting.entry(client).or_default();
        if tasks.is_empty() {
            self.turns.push_back(client);
        }
        tasks.push_back(sender);
        self.len += 1;
        Some(turn)
    }

    /// Removes the tasks of clients that do not wait any longer.
    fn remove_gone(&mut self) {
        self.waiting.retain(|_, tasks| {
            tasks.retain(|task| !task.is_closed());
            !tasks.is_empty()
        });
        self.turns
            .retain(|client| self.waiting.contains_key(client));
        self.len = self.waiting.values().map(VecDeque::len).sum();
    }

    /// Removes the newest task of the client with most of them, unless `client` would then have as
    /// many.
    fn make_room_for(&mut self, client: Client) -> Option<()> {
        let own = self.waiting.get(&client).map_or(0, VecDeque::len);
        let most = self.waiting.values_mut().max_by_key(|tasks| tasks.len())?;
        if most.len() <= own + 1 {
            return None;
        }
        most.pop_back();
        self.len -= 1;
        Some(())
    }

    /// The next task in turn of a client that holds less than its share.
    fn next(&mut self, share: usize) -> Option<(Client, Sender<QueuePlace<T>>)> {
        for _ in 0..self.turns.len() {
            let client = self.turns.pop_front()?;
            if !self.may_hold_more(client, share) {
                self.turns.push_back(client);
                continue;
            }
            let Some(tasks) = self.waiting.get_mut(&client) else {
                continue;
            };
            // Tasks that do not wait any longer take no turn from the others of their client.
            let mut next = None;
            while next.is_none()
                && let Some(task) = tasks.pop_front()
            {
                self.len -= 1;
                next = Some(task).filter(|task| !task.is_closed());
            }
            if tasks.is_empty() {
                self.waiting.remove(&client);
            } else {
                self.turns.push_back(client);
            }
            if let Some(task) = next {
                return Some((client, task));
            }
        }
        None
    }
}

impl<T: Default> Drop for QueuePlace<T> {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.hand_on(self.client, std::mem::take(&mut self.value));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn address(last: u8) -> Client {
        Client::Address([192, 0, 2, last].into())
    }

    /// Takes the place that there is.
    fn occupied<T: Default>(queue: &Arc<FairQueue<T>>) -> QueuePlace<T> {
        match queue.enter(Client::Unknown) {
            Some(Entered::Place(place)) => place,
            _ => panic!("there is a place"),
        }
    }

    fn enter_place(queue: &Arc<FairQueue<()>>, client: Client) -> Option<QueuePlace<()>> {
        match queue.enter(client)? {
            Entered::Place(place) => Some(place),
            Entered::Queue(_) => None,
        }
    }

    fn wait(queue: &Arc<FairQueue<()>>, client: Client) -> Option<Receiver<QueuePlace<()>>> {
        queue.enter(client).map(|entered| match entered {
            Entered::Queue(turn) => turn,
            Entered::Place(_) => panic!("there is no place"),
        })
    }

    /// Returns whether a task has a place, or an error if it was removed.
    fn has_place(turn: &mut Receiver<QueuePlace<()>>) -> Result<bool, ()> {
        match turn.try_recv() {
            Ok(_) => Ok(true),
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Closed) => Err(()),
        }
    }

    #[test]
    fn clients_are_served_in_turn() {
        let queue = FairQueue::new(1, 1, 10);
        let place = occupied(&queue);
        let clients = [1, 1, 1, 2, 2, 3];
        let mut tasks = clients.map(|last| wait(&queue, address(last)).expect("room"));
        drop(place);
        for index in [0, 3, 5, 1, 4, 2] {
            let places = tasks.each_mut().map(|task| task.try_recv().ok());
            let served: Vec<_> = places.iter().map(Option::is_some).collect();
            let expected: Vec<_> = (0..6).map(|other| other == index).collect();
            assert_eq!(served, expected);
        }
        let state = queue.lock();
        assert_eq!((state.free.len(), state.len), (1, 0));
        assert!(state.turns.is_empty() && state.waiting.is_empty());
    }

    #[test]
    fn client_with_most_tasks_makes_room() {
        let queue = FairQueue::new(1, 1, 4);
        let place = occupied(&queue);
        let mut greedy: Vec<_> = (0..4)
            .map(|_| wait(&queue, address(1)).expect("room"))
            .collect();
        assert!(wait(&queue, address(1)).is_none());
        let modest = wait(&queue, address(2)).expect("room for another client");
        let mut newest = greedy.pop().expect("a task");
        assert_eq!(has_place(&mut newest), Err(()));
        let _more = wait(&queue, address(2)).expect("up to the same number");
        assert!(wait(&queue, address(2)).is_none());
        let third = wait(&queue, address(3)).expect("room for a third one");
        assert!(wait(&queue, address(3)).is_none(), "it would have as many");
        drop((place, modest, third));
    }

    #[test]
    fn handed_on_places_count_for_shares() {
        let queue = FairQueue::new(2, 1, 10);
        let places = [(); 2].map(|()| occupied(&queue));
        let [mut first, mut second] = [(); 2].map(|()| wait(&queue, address(1)).expect("room"));
        drop(places);
        let place = first.try_recv().expect("a place");
        assert_eq!(has_place(&mut second), Ok(false));
        drop(place);
        assert_eq!(has_place(&mut second), Ok(true));
    }

    #[test]
    fn lost_clients_keep_no_places() {
        let queue = FairQueue::new(1, 1, 2);
        let place = occupied(&queue);
        let gone = [1, 2].map(|last| wait(&queue, address(last)));
        drop(gone);
        let mut next = wait(&queue, address(3)).expect("room");
        let gone = wait(&queue, address(4)).expect("room");
        drop(gone);
        drop(place);
        assert_eq!(has_place(&mut next), Ok(true));
        assert_eq!(queue.lock().free.len(), 1, "received, and dropped");
        // Handed over, but never received.
        let place = occupied(&queue);
        let turn = wait(&queue, address(5)).expect("room");
        drop(place);
        assert!(queue.lock().free.is_empty());
        drop(turn);
        assert_eq!(queue.lock().free.len(), 1);
    }

    #[test]
    fn lost_tasks_take_no_turn() {
        let queue = FairQueue::new(1, 1, 10);
        let place = occupied(&queue);
        let gone = [1, 1, 1].map(|last| wait(&queue, address(last)).expect("room"));
        let mut next = wait(&queue, address(1)).expect("room");
        let _other = wait(&queue, address(2)).expect("room");
        drop(gone);
        drop(place);
        assert_eq!(has_place(&mut next), Ok(true));
    }

    #[test]
    fn one_client_holds_its_share_only() {
        let queue = FairQueue::new(4, 2, 10);
        let first = enter_place(&queue, address(1)).expect("a place");
        let second = enter_place(&queue, address(1)).expect("a place");
        let mut third = wait(&queue, address(1)).expect("room");
        assert_eq!(has_place(&mut third), Ok(false), "its share is used up");
        let other = enter_place(&queue, address(2)).expect("a place of another client");
        drop(other);
        assert_eq!(has_place(&mut third), Ok(false), "the place of another");
        drop(first);
        assert!(third.try_recv().is_ok(), "its own place");
        drop(second);
        let state = queue.lock();
        assert_eq!((state.free.len(), state.len), (4, 0));
        assert!(state.held.is_empty() && state.turns.is_empty());
    }

    #[test]
    fn unknown_clients_have_no_share() {
        let queue = FairQueue::new(3, 1, 10);
        let places =
            [Client::Unknown; 3].map(|client| enter_place(&queue, client).expect("a place"));
        let mut known = wait(&queue, address(1)).expect("room");
        let mut unknown = wait(&queue, Client::Unknown).expect("room");
        let [first, second, _third] = places;
        drop(first);
        assert_eq!(has_place(&mut known), Ok(true));
        drop(second);
        assert_eq!(has_place(&mut unknown), Ok(true));
    }

    #[test]
    fn spoilt_fields_have_one_share() {
        let queue = FairQueue::new(3, 2, 10);
        let places = [Client::BehindProxy; 2].map(|client| enter_place(&queue, client));
        let mut third = wait(&queue, Client::BehindProxy).expect("room");
        assert_eq!(has_place(&mut third), Ok(false), "their share is used up");
        assert!(enter_place(&queue, address(1)).is_some());
        drop(places);
        assert_eq!(has_place(&mut third), Ok(true));
    }

    #[test]
    fn clients_at_their_share_wait() {
        let queue = FairQueue::new(2, 1, 10);
        let hostile = enter_place(&queue, address(1)).expect("a place");
        let other = enter_place(&queue, address(2)).expect("a place");
        let mut waiting = wait(&queue, address(1)).expect("room");
        let mut modest = wait(&queue, address(3)).expect("room");
        drop(other);
        assert_eq!(has_place(&mut waiting), Ok(false));
        assert_eq!(has_place(&mut modest), Ok(true));
        drop(hostile);
        assert_eq!(has_place(&mut waiting), Ok(true));
    }

    #[test]
    fn a_place_keeps_its_value() {
        let queue = FairQueue::<Vec<u8>>::new(1, 1, 2);
        for length in 0..10 {
            let mut place = occupied(&queue);
            assert_eq!(place.value.len(), length);
            place.value.push(0);
        }
    }

    #[test]
    fn clients_are_addresses_or_networks() {
        let of = |text: &str| owner(Client::Address(text.parse().expect("an address")));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("::1"), owner(Client::Unknown));
    }
}
