// SPDX-License-Identifier: Apache-2.0

import Diagnostics
import Foundation
import TestSupport
import Testing

@Suite struct ErrorCodeTests {
    @Test func idsAreUnique() {
        let twice = Dictionary(grouping: ErrorCode.all, by: \.id).filter { $0.value.count > 1 }
        #expect(twice.isEmpty)
    }

    @Test(arguments: ErrorCode.all)
    func hasItsShape(_ code: ErrorCode) throws {
        #expect(code.id.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil)
        #expect(code.id.utf8.count <= 48)
        for text in [code.cause, code.remedy] {
            #expect(!text.contains { $0.isNewline })
            #expect(text.first?.isUppercase == true)
            // A remedy may end with a command.
            #expect(text.last == "." || text.last == "`" || text.hasSuffix("FILE."))
        }
    }

    /// A code that is in no list would be missing from the reference.
    @Test func allIsEveryCodeOfTheSources() throws {
        let folder = Repository.path("Sources/Diagnostics/Vocabulary")
        var declared: [String] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            declared += text.matches(of: /= ErrorCode\(\s*"([^"]+)"/).map { String($0.1) }
        }
        #expect(declared.sorted() == ErrorCode.all.map(\.id).sorted())
    }

    @Test func theReferenceIsUpToDate() throws {
        let made = try Command.check([Products.path("error-reference")]).text
        let kept = try String(
            contentsOfFile: Repository.path("docs/reference/errors.md"), encoding: .utf8)
        #expect(made == kept, "run `make docs`")
    }

    @Test(arguments: [
        (ErrorCode.invalidArgument, 400, 3, 1), (.badConfiguration, 400, 3, 2),
        (.unauthenticated, 401, 16, 3), (.permissionDenied, 403, 7, 3), (.notFound, 404, 5, 4),
        (.conflict, 409, 6, 1), (.wrongState, 409, 9, 1), (.badSignature, 422, 3, 6),
        (.quotaExceeded, 429, 8, 5), (.unavailable, 503, 14, 5), (.deadlineExceeded, 504, 4, 5),
        (.cancelled, 499, 1, 130), (.unsupported, 501, 12, 1), (.internalError, 500, 13, 1),
    ])
    func mapsToTheOutside(_ code: ErrorCode, http: Int, grpc: Int, exit: Int32) {
        #expect(code.category.http == http)
        #expect(code.category.grpc == grpc)
        #expect(code.category.exit == exit)
    }
}
