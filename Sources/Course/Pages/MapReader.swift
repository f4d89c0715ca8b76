import CourseModel

/// Reads `Content/map.yaml`: the road through all weeks.
///
/// A course without that file has no map.
struct MapReader {
    private static let file = "Content/map.yaml"

    let files: CourseFiles
    let diagnostics: Diagnostics

    func read() -> CourseMap {
        guard let text = files.text(Self.file),
            let node = YAMLText(text, file: Self.file, diagnostics: diagnostics)?.documents.first,
            var fields = Fields(node, what: "the map", file: Self.file, diagnostics: diagnostics)
        else { return CourseMap() }
        fields.checkVersion()
        let stops = fields.requiredList("weeks").compactMap { node -> CourseMap.Stop? in
            guard var stop = Fields(node, what: "a week of the map", file: Self.file, diagnostics: diagnostics) else {
                return nil
            }
            defer { stop.finish() }
            return CourseMap.Stop(
                number: stop.int("number", in: 1...52), title: stop.optionalText("title"),
                note: stop.optionalText("note"))
        }
        let besides = fields.list("besides").compactMap { node -> CourseMap.Stop? in
            guard var stop = Fields(node, what: "a part of the map", file: Self.file, diagnostics: diagnostics) else {
                return nil
            }
            defer { stop.finish() }
            return CourseMap.Stop(number: 0, title: stop.text("title"), note: stop.optionalText("note"))
        }
        for (index, stop) in stops.enumerated() where stop.number != index + 1 {
            diagnostics.error(
                fields.place(of: "weeks"),
                "the map's weeks are not in order: \(stop.number) stands at place \(index + 1)",
                hint: "List every week once, from 1 on.")
            break
        }
        fields.finish()
        return CourseMap(stops: stops, besides: besides)
    }
}
