"""What will differ after cutover."""
