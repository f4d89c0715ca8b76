import Glibc
import KubeModel
import ObjectStore

/// The server's numbers in the text format of Prometheus, under the names that Kubernetes gives them.
enum MetricsText {
    static func make(_ registry: Registry) -> String {
        var page = MetricsPage()
        let metrics = registry.ledger.metrics
        let series = metrics.series.sorted { order($0.key) < order($1.key) }
        requests(series, &page)
        durations(series, &page)
        page.head("apiserver_current_inflight_requests", "gauge", "Requests being worked on, by the sort of request.")
        page.line("apiserver_current_inflight_requests", [("request_kind", "mutating")], "\(metrics.inFlight.writing)")
        page.line("apiserver_current_inflight_requests", [("request_kind", "readOnly")], "\(metrics.inFlight.reading)")
        page.head("apiserver_longrunning_requests", "gauge", "Watches and streams that are open.")
        for (key, series) in series where series.open > 0 {
            page.line("apiserver_longrunning_requests", labels(key), "\(series.open)")
        }
        objects(registry, &page)
        process(&page)
        return page.text
    }

    private static func order(_ key: RequestMetrics.Key) -> String {
        "\(key.group) \(key.resource) \(key.subresource) \(key.verb) \(key.scope)"
    }

    private static func labels(_ key: RequestMetrics.Key) -> [(String, String)] {
        [
            ("component", "apiserver"), ("group", key.group), ("resource", key.resource), ("scope", key.scope),
            ("subresource", key.subresource), ("verb", key.verb), ("version", key.version),
        ]
    }

    private typealias AllSeries = [(key: RequestMetrics.Key, series: RequestMetrics.Series)]

    private static func requests(_ series: AllSeries, _ page: inout MetricsPage) {
        page.head("apiserver_request_total", "counter", "Requests that were answered, by what they asked and the code.")
        for (key, series) in series {
            for (code, count) in series.codes.sorted(by: { $0.key < $1.key }) {
                var labels = labels(key)
                labels.insert(("code", "\(code)"), at: 0)
                labels.insert(("dry_run", ""), at: 2)
                page.line("apiserver_request_total", labels, "\(count)")
            }
        }
    }

    private static func durations(_ series: AllSeries, _ page: inout MetricsPage) {
        let name = "apiserver_request_duration_seconds"
        page.head(name, "histogram", "The time that answers took, those of watches and streams aside.")
        for (key, series) in series where series.count > 0 {
            var labels = labels(key)
            labels.insert(("dry_run", ""), at: 1)
            var total = 0
            for (bound, count) in zip(RequestMetrics.bounds, series.buckets) {
                total += count
                page.line("\(name)_bucket", labels + [("le", MetricsPage.number(bound))], "\(total)")
            }
            page.line("\(name)_bucket", labels + [("le", "+Inf")], "\(series.count)")
            page.line("\(name)_sum", labels, MetricsPage.number(Double(series.nanoseconds) / 1_000_000_000))
            page.line("\(name)_count", labels, "\(series.count)")
        }
    }

    private static func objects(_ registry: Registry, _ page: inout MetricsPage) {
        page.head("apiserver_storage_objects", "gauge", "Objects in the store, by resource.")
        for resource in Set(registry.catalog.kinds.filter { $0.verbs.contains("list") }.map(\.resource.qualifiedPlural))
            .sorted()
        {
            guard let count = try? registry.store.list(.all(resource: resource)).items.count else { continue }
            page.line("apiserver_storage_objects", [("resource", resource)], "\(count)")
        }
    }

    // MARK: The process

    private static func process(_ page: inout MetricsPage) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
        let cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime)
        var gauges = [("process_cpu_seconds_total", "counter", "Processor time used.", MetricsPage.number(cpu))]
        if let pages = statistics("/proc/self/statm") {
            let size = Int(sysconf(Int32(_SC_PAGESIZE)))
            gauges.append(
                ("process_resident_memory_bytes", "gauge", "Memory in use.", "\((Int(pages[1]) ?? 0) * size)"))
            gauges.append(
                ("process_virtual_memory_bytes", "gauge", "Address space in use.", "\((Int(pages[0]) ?? 0) * size)"))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(7), &limit) == 0 {
            gauges.append(("process_max_fds", "gauge", "Files that may be open.", "\(limit.rlim_cur)"))
        }
        if let count = openFiles { gauges.append(("process_open_fds", "gauge", "Files that are open.", "\(count)")) }
        for (name, type, help, value) in gauges.sorted(by: { $0.0 < $1.0 }) {
            page.head(name, type, help)
            page.line(name, [], value)
        }
    }

    private static func statistics(_ path: String) -> [String]? {
        guard let text = SecretFile.read(path) else { return nil }
        let words = text.split(separator: " ").map(String.init)
        return words.count >= 2 ? words : nil
    }

    private static var openFiles: Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Two entries are the folder and its parent, one is the folder being read.
        return count - 3
    }
}
