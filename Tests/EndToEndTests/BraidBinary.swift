import Foundation

/// The program under test.
enum BraidBinary {
    /// `$BRAID_BINARY`, else what `swift build` made here.
    static let path =
        ProcessInfo.processInfo.environment["BRAID_BINARY"]
        ?? FileManager.default.currentDirectoryPath + "/.build/debug/braid"
}
