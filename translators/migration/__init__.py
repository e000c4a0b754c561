"""What the migration of existing objects decides, without touching anything.

Each module takes plain objects and answers and returns plain values; `bridge.migration` carries them out.
The package can be deleted once nobody migrates any more: the controller does not use it.

    adoption      old object -> the things in AWS that it stands for, and the ACK objects that adopt them
    families      which old objects are moved together, and in which order
    planning      everything observed -> one entry an old object: adopt, skip or blocked, with the reason
    planfile      a plan as text, and back; whether it is still true
    facts, findings   what was seen of a cluster -> findings with severity, reason and fix
    installation  telling the old operator, ACK and GitOps tools from what their objects carry
    verification  whether an adoption left everything as it was
    record        what the journal in the cluster says of each object
    restoration   what rollback has to write so that an old object equals its backup
    redeployment  what the old operator will do in AWS after a rollback
    definitions   an old CRD -> the same in v1
    helm          the Helm releases that hold old CRDs, and how Helm forgets them
    guard         the policy that keeps CRDs and namespaces from being deleted too early
    native        an adopted ACK object -> a plain one, live and for Git
"""
