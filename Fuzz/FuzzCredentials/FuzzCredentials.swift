import CFuzzer
@testable import Credentials
import Glibc

/// Reads each input as a key file, as a file of pre-shared keys and as a users file. Hashes are taken as they are: trying one
/// is slow on purpose.
///
///     make fuzz FUZZERS=FuzzCredentials
@main
struct FuzzCredentials {
    static func main() {
        let status = unsafe fuzzer_run(CommandLine.argc, CommandLine.unsafeArgv) { data, size in
            let text = unsafe String(decoding: UnsafeBufferPointer(start: data, count: size), as: UTF8.self)
            do throws(CredentialError) {
                let keys = try KeyFile(text: text).keys
                precondition((1...KeyFile.most).contains(keys.count))
                for key in keys {
                    precondition(key.bytes.count == KeyFile.keyLength)
                    let again = try KeyFile(text: KeyFile.encode(key.bytes))
                    precondition(again.keys[0].bytes == key.bytes)
                }
            } catch {
                precondition(!error.description.isEmpty)
            }
            do throws(CredentialError) {
                let keys = try PreSharedKeyFile(text: text).keys
                precondition((1...PreSharedKeyFile.most).contains(keys.count))
                precondition(Set(keys.map(\.identity)).count == keys.count)
                precondition(
                    keys.allSatisfy { (16...64).contains($0.bytes.count) && (1...128).contains($0.identity.count) })
            } catch {
                precondition(!error.description.isEmpty)
            }
            do throws(CredentialError) {
                let users = try UsersFile(text: text, isUsable: isHash).hashes
                precondition(!users.isEmpty)
                // Setting one's password sets his and nobody else's.
                for name in users.keys.prefix(3) {
                    let changed = try UsersFile(text: UsersFile.text(text, setting: name, to: "$other")) { _ in true }
                    precondition(changed.hashes == users.merging([name: "$other"]) { $1 })
                }
            } catch {
                precondition(!error.description.isEmpty)
            }
            return 0
        }
        exit(status)
    }
}

/// As libcrypt has them: printable, and without what crypt(5) forbids.
private func isHash(_ text: String) -> Bool {
    text.hasPrefix("$") && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !":;*!\\".utf8.contains($0) }
}
