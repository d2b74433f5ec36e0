"""One link and the Internet layer above it: neighbours, addresses, routes, fragments, ICMP."""
