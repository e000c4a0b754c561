"""What several test modules share: worlds that are read from files, or simulated in memory."""
