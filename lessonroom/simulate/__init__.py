"""A simulated student: a real WebRTC client that plays a clip."""
