"""The Slack stand-in met by the unmodified Slack libraries, over real sockets on loopback only."""
