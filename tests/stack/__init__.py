"""The local stack: a real control plane, the AWS double and the ACK simulator. Used by tests and the demo."""
