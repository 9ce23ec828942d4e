//! The logins that wait for a place to hash their password in.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::Block;
use tokio::sync::oneshot::{self, Receiver, Sender};

/// The owner of a share: an address, or all clients whose address is not known.
pub(super) type Client = Option<IpAddr>;

/// The client with that address: of IPv6, the network of 64 bits that a site has for itself.
pub(super) fn client(address: Option<IpAddr>) -> Client {
    const SITE: u128 = u128::MAX << 64;
    match address?.to_canonical() {
        IpAddr::V6(address) => Some(Ipv6Addr::from_bits(address.to_bits() & SITE).into()),
        address => Some(address),
    }
}

/// Hands out a fixed number of places to hash in.
///
/// Logins that wait are served in turn by client, and those of one client in their order. When too
/// many wait, the newest one of the client with most of them has to go. So a client with many logins
/// delays another one by one login at a time, and takes no place in the queue from it.
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// Of logins that wait.
    capacity: usize,
    /// Of each place.
    blocks: usize,
}

struct Waiting {
    /// Empty while logins wait.
    free: Vec<Memory>,
    /// By client, oldest first; none of them is empty.
    logins: HashMap<Client, VecDeque<Sender<Place>>>,
    /// The clients with logins, in the order of their turns.
    turns: VecDeque<Client>,
    /// The number of logins.
    len: usize,
}

/// The memory of a place, allocated when it is used first, and then kept: allocators do not give
/// back such blocks.
type Memory = Vec<Block>;

/// A place to hash in, for as long as it is held.
pub(super) struct Place {
    queue: Arc<Queue>,
    /// `None` if it was handed on.
    memory: Option<Memory>,
}

impl Queue {
    /// So many places, with memory for so many blocks each, and so many logins that may wait.
    pub(super) fn new(places: usize, blocks: usize, capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::new(Waiting {
                free: vec![Memory::new(); places],
                logins: HashMap::new(),
                turns: VecDeque::new(),
                len: 0,
            }),
            capacity,
            blocks,
        })
    }

    /// A place for a login of `client`, at once or later; `None` if too many wait.
    pub(super) async fn place(self: &Arc<Self>, client: Client) -> Option<Place> {
        let turn = match self.enter(client)? {
            Entered::Place(place) => return Some(place),
            Entered::Queue(turn) => turn,
        };
        turn.await.ok()
    }

    fn enter(self: &Arc<Self>, client: Client) -> Option<Entered> {
        let mut waiting = self.lock();
        if let Some(memory) = waiting.free.pop() {
            return Some(Entered::Place(self.with(memory)));
        }
        waiting.add(client, self.capacity).map(Entered::Queue)
    }

    fn with(self: &Arc<Self>, memory: Memory) -> Place {
        Place {
            queue: Arc::clone(self),
            memory: Some(memory),
        }
    }

    /// Hands the memory of a place to the next login, or keeps it for a later one.
    fn hand_on(self: &Arc<Self>, mut memory: Memory) {
        loop {
            let mut waiting = self.lock();
            let Some(next) = waiting.next() else {
                waiting.free.push(memory);
                return;
            };
            drop(waiting);
            // A client that is gone does not take it.
            match next.send(self.with(memory)).err() {
                Some(mut place) => memory = place.memory.take().unwrap_or_default(),
                None => return,
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Entered {
    Place(Place),
    Queue(Receiver<Place>),
}

impl Waiting {
    fn add(&mut self, client: Client, capacity: usize) -> Option<Receiver<Place>> {
        if self.len >= capacity {
            self.remove_gone();
        }
        if self.len >= capacity {
            self.make_room_for(client)?;
        }
        let (sender, turn) = oneshot::channel();
        let logins = self.logins.entry(client).or_default();
        if logins.is_empty() {
            self.turns.push_back(client);
        }
        logins.push_back(sender);
        self.len += 1;
        Some(turn)
    }

    /// Removes the logins of clients that do not wait any longer.
    fn remove_gone(&mut self) {
        self.logins.retain(|_, logins| {
            logins.retain(|login| !login.is_closed());
            !logins.is_empty()
        });
        self.turns.retain(|client| self.logins.contains_key(client));
        self.len = self.logins.values().map(VecDeque::len).sum();
    }

    /// Removes the newest login of the client with most of them, unless `client` would then have as
    /// many.
    fn make_room_for(&mut self, client: Client) -> Option<()> {
        let own = self.logins.get(&client).map_or(0, VecDeque::len);
        let most = self.logins.values_mut().max_by_key(|logins| logins.len())?;
        if most.len() <= own + 1 {
            return None;
        }
        most.pop_back();
        self.len -= 1;
        Some(())
    }

    fn next(&mut self) -> Option<Sender<Place>> {
        while let Some(client) = self.turns.pop_front() {
            let Some(logins) = self.logins.get_mut(&client) else {
                continue;
            };
            // Logins that do not wait any longer take no turn from the others of their client.
            let mut next = None;
            while next.is_none()
                && let Some(login) = logins.pop_front()
            {
                self.len -= 1;
                next = Some(login).filter(|login| !login.is_closed());
            }
            if logins.is_empty() {
                self.logins.remove(&client);
            } else {
                self.turns.push_back(client);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

impl Place {
    /// The memory to hash in; `None` if the system has none to give.
    pub(super) fn blocks(&mut self) -> Option<&mut [Block]> {
        let memory = self.memory.as_mut()?;
        let missing = self.queue.blocks.saturating_sub(memory.len());
        if memory.try_reserve_exact(missing).is_err() {
            tracing::error!("there is no memory to verify a password in");
            return None;
        }
        memory.resize(self.queue.blocks, Block::new());
        Some(memory)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(memory) = self.memory.take() {
            self.queue.hand_on(memory);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot::error::TryRecvError;

    use super::*;

    fn address(last: u8) -> Client {
        Some([192, 0, 2, last].into())
    }

    /// Takes the place that there is.
    fn occupied(queue: &Arc<Queue>) -> Place {
        match queue.enter(None) {
            Some(Entered::Place(place)) => place,
            _ => panic!("there is a place"),
        }
    }

    fn wait(queue: &Arc<Queue>, client: Client) -> Option<Receiver<Place>> {
        queue.enter(client).map(|entered| match entered {
            Entered::Queue(turn) => turn,
            Entered::Place(_) => panic!("there is no place"),
        })
    }

    /// Whether a login has a place; an error if it has to go.
    fn has_place(turn: &mut Receiver<Place>) -> Result<bool, ()> {
        match turn.try_recv() {
            Ok(_) => Ok(true),
            Err(TryRecvError::Empty) => Ok(false),
            Err(TryRecvError::Closed) => Err(()),
        }
    }

    #[test]
    fn clients_are_served_in_turn() {
        let queue = Queue::new(1, 8, 10);
        let place = occupied(&queue);
        let clients = [1, 1, 1, 2, 2, 3];
        let mut logins = clients.map(|last| wait(&queue, address(last)).expect("room"));
        drop(place);
        for index in [0, 3, 5, 1, 4, 2] {
            let places = logins.each_mut().map(|login| login.try_recv().ok());
            let served: Vec<_> = places.iter().map(Option::is_some).collect();
            let expected: Vec<_> = (0..6).map(|other| other == index).collect();
            assert_eq!(served, expected);
        }
        let waiting = queue.lock();
        assert_eq!((waiting.free.len(), waiting.len), (1, 0));
        assert!(waiting.turns.is_empty() && waiting.logins.is_empty());
    }

    #[test]
    fn the_client_with_most_logins_makes_room() {
        let queue = Queue::new(1, 8, 4);
        let place = occupied(&queue);
        let mut greedy: Vec<_> = (0..4)
            .map(|_| wait(&queue, address(1)).expect("room"))
            .collect();
        assert!(wait(&queue, address(1)).is_none());
        let modest = wait(&queue, address(2)).expect("room for another client");
        let mut newest = greedy.pop().expect("a login");
        assert_eq!(has_place(&mut newest), Err(()));
        let _more = wait(&queue, address(2)).expect("up to the same number");
        assert!(wait(&queue, address(2)).is_none());
        assert!(wait(&queue, address(3)).is_some(), "a third one");
        drop((place, modest));
    }

    #[test]
    fn clients_that_are_gone_keep_neither_rooms_nor_places() {
        let queue = Queue::new(1, 8, 2);
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
    fn logins_that_are_gone_take_no_turn() {
        let queue = Queue::new(1, 8, 10);
        let place = occupied(&queue);
        let gone = [1, 1, 1].map(|last| wait(&queue, address(last)).expect("room"));
        let mut next = wait(&queue, address(1)).expect("room");
        let _other = wait(&queue, address(2)).expect("room");
        drop(gone);
        drop(place);
        assert_eq!(has_place(&mut next), Ok(true));
    }

    #[test]
    fn a_place_keeps_its_memory() {
        let queue = Queue::new(1, 64, 2);
        let first = occupied(&queue).blocks().map(|blocks| blocks.as_ptr());
        for _ in 0..10 {
            let mut place = occupied(&queue);
            let blocks = place.blocks().expect("memory");
            assert_eq!(blocks.len(), 64);
            assert_eq!(Some(blocks.as_ptr()), first);
        }
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        let of = |text: &str| client(Some(text.parse().expect("an address")));
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("192.0.2.1"), of("::ffff:192.0.2.1"));
        assert_ne!(of("::1"), client(None));
    }
}
