internal import ArgumentParser
internal import LinuxSystem
internal import SystemPackage

/// SIGINT and SIGTERM as a descriptor that ends a command's waits, so that it can say its last words.
enum StopSignals {
    /// - Throws: `ExitCode` 71 when the system refuses a descriptor.
    static func descriptor() throws -> SignalDescriptor {
        do {
            return try SignalDescriptor([2, 15])
        } catch {
            StandardError.write("braid: \(error)")
            throw ExitCode.systemRefused
        }
    }
}
