/// Puts the streams of a port-forward client together: one for errors and one for data make a connection.
struct StreamPairs {
    struct Pair: Equatable {
        let port: Int
        let error: UInt32
        let data: UInt32
    }

    enum Answer: Equatable {
        case refused
        /// The stream is taken; with its fellow, if that is there too, it makes a connection.
        case taken(isData: Bool, Pair?)
    }

    private struct Half {
        let port: Int
        var error: UInt32?
        var data: UInt32?
    }
    private var halves: [String: Half] = [:]

    /// Streams that wait for their fellow.
    private static let halvesMax = 200

    mutating func add(_ id: UInt32, _ headers: SPDYHeaders) -> Answer {
        func value(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        guard let type = value("streamtype"), type == "error" || type == "data",
            let port = value("port").flatMap({ Int($0) }), (1...Int(UInt16.max)).contains(port)
        else { return .refused }
        // Clients from before requests had numbers open the data stream right after the error stream.
        let request = value("requestid") ?? "\(type == "data" ? id &- 2 : id)"
        var half = halves[request] ?? Half(port: port)
        guard half.port == port, type == "error" ? half.error == nil : half.data == nil else { return .refused }
        if type == "error" { half.error = id } else { half.data = id }
        if let error = half.error, let data = half.data {
            halves[request] = nil
            return .taken(isData: type == "data", Pair(port: port, error: error, data: data))
        }
        guard halves.count < Self.halvesMax else { return .refused }
        halves[request] = half
        return .taken(isData: type == "data", nil)
    }
}
