"""`make demo`: the whole chain at accelerated time, from normal readings to a verdict on every fault."""
