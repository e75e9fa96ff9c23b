"""The REST door: HTTP in, the domain's verbs and shapes out; turned on by including its urls."""
