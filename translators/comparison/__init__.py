"""What will differ for the owner of an old object after cutover: three sides compared and classed.

The three sides of a thing are the old object as translated, the ACK object, and AWS' description, all in
the spelling of the ACK spec. Nothing here touches anything; `bridge.report` gathers and renders.

    model        classes, differences, the report on one object and on all
    folds        what AWS fills in, reorders and rewrites, by ACK kind: data of `ack-mappings/folds/`
    paths        a spec as a tree whose steps say what they are; how a path is written
    described    AWS' description in the shape of the ACK spec
    repeats      what AWS says twice
    differing    where the sides differ (deepdiff)
    fields       one differing field -> its class, what happens and what to do
    parts        an old object -> the ACK objects and things in AWS that it stands for, with their sides
    wholes       what differs about a whole thing: gone, refused, marked wrongly
    variants     live capacity and weight of an endpoint's variants
    behaviours   what behaves differently under ACK although no field differs
    redaction    hides environment values and what looks like a secret
    compare      all of it for one old object
"""
