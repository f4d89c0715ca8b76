/// Tables with lines around their cells, as minikube prints them.
enum BorderedTable {
    static func text(_ header: [String], _ rows: [[String]]) -> String {
        let widths = header.indices.map { column in ([header] + rows).map { $0[column].count }.max() ?? 0 }
        let line = "|" + widths.map { String(repeating: "-", count: $0 + 2) }.joined(separator: "|") + "|\n"
        func row(_ cells: [String]) -> String {
            "|"
                + zip(cells, widths).map { " \($0)\(String(repeating: " ", count: $1 - $0.count)) " }.joined(
                    separator: "|")
                + "|\n"
        }
        return line + row(header) + line + rows.map(row).joined() + line
    }
}
