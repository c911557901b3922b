"""What Titan does, in terms of ports and topics. No service imports another; they communicate by topic."""
