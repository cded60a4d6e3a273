"""Media workers: analysers, eyes and watches in processes of their own, and what stands for them in the server's."""
