"""Watch, queue, gather, decide (in `translators`), execute."""
