"""What is asked over HTTP, by what it is about: each hands on to a service, and computes nothing."""
