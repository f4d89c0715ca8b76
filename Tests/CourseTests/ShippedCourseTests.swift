import Course
import CourseModel
import Testing

/// The folder that holds `Content` and `Labs`.
let repositoryRoot = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

@Suite("The course that is shipped", .timeLimit(.minutes(5)))
struct ShippedCourseTests {
    @Test("the linter finds nothing wrong with it")
    func isClean() {
        let report = CourseLoader(root: repositoryRoot).lint()
        #expect(report.diagnostics.map(\.description) == [])
    }
}
