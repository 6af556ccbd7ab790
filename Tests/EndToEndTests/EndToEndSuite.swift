import Testing

/// Everything that runs the built program. Suites extend it, so that they run one after the other: each starts
/// processes, and two cores are few.
@Suite(.serialized, .timeLimit(.minutes(5)))
enum EndToEndSuite {}
