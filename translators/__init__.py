"""Pure decisions: old objects in, ACK objects and old status out. Nothing here touches the world."""
