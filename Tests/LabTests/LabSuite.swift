import Testing

/// All tests of the lab, one after the other: they measure time, and would disturb each other.
@Suite(.serialized, .timeLimit(.minutes(2)))
enum LabSuite {}
