"""The chat of the Channels tutorial, as people copy it: one consumer, one group, the core Redis layer, Daphne."""
