//! The reading half of netlab-capture for a page: questions come in as JSON,
//! answers go out as JSON. All meaning is in `netlab_capture::view`.

mod sys;
