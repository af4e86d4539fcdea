//! How a page calls: it asks for room (`reserve`), writes the question and
//! behind it the data, calls `ask`, and reads the answer at `answer`. A
//! WebAssembly module has one thread, so one desk is enough.

use std::cell::RefCell;

use netlab_capture::view::Desk;

#[derive(Default)]
struct Post {
    desk: Desk,
    incoming: Vec<u8>,
    outgoing: String,
}

thread_local! {
    static POST: RefCell<Post> = RefCell::default();
}

/// Makes room for `bytes` bytes and says where.
// SAFETY: the names are this module's own; nothing else exports them.
#[unsafe(no_mangle)]
pub extern "C" fn reserve(bytes: usize) -> *mut u8 {
    POST.with_borrow_mut(|post| {
        post.incoming = vec![0; bytes];
        post.incoming.as_mut_ptr()
    })
}

/// Answers the question in the first `question` bytes of the room; the rest is
/// data. Gives the length of the answer.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn ask(question: usize) -> usize {
    POST.with_borrow_mut(|post| {
        let incoming = std::mem::take(&mut post.incoming);
        let (question, data) = incoming.split_at(question.min(incoming.len()));
        post.outgoing = post.desk.answer(&String::from_utf8_lossy(question), data);
        post.outgoing.len()
    })
}

/// Where the answer is, until the next question.
// SAFETY: as above.
#[unsafe(no_mangle)]
pub extern "C" fn answer() -> *const u8 {
    POST.with_borrow(|post| post.outgoing.as_ptr())
}
