//! The lab's own clients and servers: UDP and TCP upper case, the web. They
//! know nothing of captures and run by hand as well as in a scenario.
