"""One module an old kind: what data in `ack-mappings/` cannot say."""
