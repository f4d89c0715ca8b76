import FoundationEssentials
import Glibc

/// What was measured, beside what a real server needs.
enum Report {
    static func line(_ what: String, _ here: String, _ real: String) {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        print(padded(what, 47) + padded(here, 36) + real)
        // Into a pipe, too, each line is to be seen when it is known.
        fflush(nil)
    }

    /// A time in milliseconds, with as many digits as mean something.
    static func text(_ time: Duration) -> String {
        let microseconds = Int(time / .microseconds(1))
        return microseconds < 10_000
            ? "\(microseconds / 1000).\(microseconds % 1000 / 100) ms" : "\(microseconds / 1000) ms"
    }

    /// An amount of memory in MB.
    static func text(_ memory: Int?) -> String { memory.map { "\($0)" } ?? "?" }

    /// The time that a share of the sorted times stays below.
    static func percentile(_ times: [Duration], _ share: Double) -> Duration {
        let sorted = times.sorted()
        return sorted.isEmpty ? .zero : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    static func spread(_ times: [Duration]) -> String {
        "p50 \(text(percentile(times, 0.5))), p99 \(text(percentile(times, 0.99)))"
    }

    /// The memory of a process in MB; nil where it cannot be known.
    static func memory(of process: Int?) -> Int? {
        guard let process, let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") })
        else { return nil }
        return line.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 / 1024 }
    }

    /// The processor time that a process has used, to a hundredth of a second; nil where it cannot be known.
    static func processorTime(of process: Int?) -> Duration? {
        guard let process, let line = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let name = line.lastIndex(of: ")")
        else { return nil }
        // Behind the name come the state and ten more, then the time for itself and that in the system.
        let ticks = line[name...].split(separator: " ").dropFirst(12).prefix(2).compactMap { Int($0) }
        return ticks.count == 2 ? .milliseconds(10 * (ticks[0] + ticks[1])) : nil
    }
}
