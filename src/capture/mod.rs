//! libpcap, live: canaries, drop statistics, the interface's counter as a
//! witness. Ends with a closed savefile.
