import Lab

/// A host of the lab; Foundation has a type called Host, too.
typealias LabHost = Host
