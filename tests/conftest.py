"""What all tests have: the fixtures."""

pytest_plugins = ["tests.kafka_fixture"]
