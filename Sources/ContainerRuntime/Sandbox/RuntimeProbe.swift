import CSandbox
import Glibc

/// What this machine allows, found out by trying.
public struct RuntimeProbe: Sendable, Hashable {
    /// The best level that works.
    public let level: RuntimeLevel
    /// Why level `sandbox` does not work, in one sentence; nil when it does.
    public let obstacle: String?
    /// The command that would mend it, where there is one.
    public let fix: String?

    /// Tries in child processes that are gone when this returns; takes a few milliseconds.
    public static func run() -> RuntimeProbe {
        var result = vs_probe()
        guard result.error != 0 else { return RuntimeProbe(level: .sandbox, obstacle: nil, fix: nil) }
        let step = withUnsafeBytes(of: &result.step) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let reason = String(cString: strerror(result.error))
        return RuntimeProbe(
            level: .plain, obstacle: "Pods cannot have namespaces of their own here (\(step): \(reason)).",
            fix: fix(step: step, error: result.error))
    }

    private static func fix(step: String, error: Int32) -> String? {
        func text(_ path: String) -> String? {
            guard let file = fopen(path, "r") else { return nil }
            defer { fclose(file) }
            var buffer = [CChar](repeating: 0, count: 32)
            guard fgets(&buffer, 32, file) != nil else { return nil }
            return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        if text("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1" {
            return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
        }
        if text("/proc/sys/kernel/unprivileged_userns_clone") == "0" {
            return "sudo sysctl kernel.unprivileged_userns_clone=1"
        }
        if text("/proc/sys/user/max_user_namespaces") == "0" { return "sudo sysctl user.max_user_namespaces=15000" }
        return nil
    }
}
