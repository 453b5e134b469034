// tls_scribe.cpp: nothing to test alone. It only lives under a BASP broker; peer_link_test.cpp
// drives it through real connections, including its bounds on frames and on output.
