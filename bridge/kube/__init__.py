"""The only place that knows the Kubernetes API."""
