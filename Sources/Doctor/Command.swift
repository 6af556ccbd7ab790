internal import CLinux
internal import SystemPackage

/// Programs of the system that know what no system call tells.
enum Command {
    /// Runs one and answers what it wrote.
    ///
    /// - Throws: `.noSuchFileOrDirectory` when there is none, `.notPermitted` when it failed, `.timedOut` after five seconds,
    ///   `.fileTooLarge` beyond 4 MiB.
    static func output(_ words: String...) throws(Errno) -> String {
        let packed: [CChar] = words.flatMap { word in word.utf8.map { CChar(bitPattern: $0) } + [0] }
        var failure: Errno?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4 << 20) { buffer, count in
            let got = unsafe packed.withUnsafeBufferPointer { packed in
                unsafe buffer.withMemoryRebound(to: CChar.self) { out in
                    unsafe linux_command_output(
                        packed.baseAddress, UInt32(words.count), out.baseAddress, out.count, 5000)
                }
            }
            if got < 0 { failure = Errno(rawValue: CInt(-got)) }
            count = max(0, Int(got))
        }
        if let failure { throw failure }
        return String(decoding: bytes, as: UTF8.self)
    }
}
