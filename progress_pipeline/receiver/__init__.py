"""The webhook receiver: HTTPS in, durable landed files out."""
