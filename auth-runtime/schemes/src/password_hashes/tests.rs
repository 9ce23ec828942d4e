use argon2::Block;

use super::*;

#[tokio::test]
async fn wrong_logins_reuse_their_buffer() {
    let stored =
        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE";
    let hashes = PasswordHashes::builder().user("ann", stored, Identity::new("ann"));
    let hashes = hashes.build().expect("a hash");
    let mut others = Vec::new();
    let mut buffers = Vec::new();
    for user in ["ann", "bob"] {
        let login = hashes.authenticate(user.to_owned(), "wrong".to_owned(), Client::Unknown);
        assert!(matches!(login.await, Caller::Rejected(_)));
        let place = hashes.0.queue.place(Client::Unknown).await;
        let memory = &place.expect("a place").value;
        buffers.push((memory.as_ptr(), memory.capacity()));
        // It would take the place of memory that was freed.
        others.push(vec![Block::new(); memory.len()]);
    }
    assert_eq!(buffers[0].1, 64);
    assert_eq!(buffers[0], buffers[1]);
}
