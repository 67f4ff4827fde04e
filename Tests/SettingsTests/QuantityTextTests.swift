// SPDX-License-Identifier: Apache-2.0

import Settings
import TestSupport
import Testing

@Suite struct QuantityTextTests {
    @Test(arguments: [
        ("90d", 7_776_000_000_000, "90d"), ("1h30m", 5_400_000_000, "1h30m"), ("500ms", 500_000, "500ms"),
        ("2w", 1_209_600_000_000, "14d"), ("1w1d1h1m1s1ms1us", 694_861_001_001, "8d1h1m1s1ms1us"),
        ("0s", 0, "0s"),
        ("90m", 5_400_000_000, "1h30m"), ("007us", 7, "7us"),
        ("106751991d", 9_223_372_022_400_000_000, "106751991d"),
    ])
    func durations(_ text: String, _ microseconds: Int64, _ shown: String) throws {
        let duration = try #require(DurationText.parse(text))
        #expect(duration == .microseconds(microseconds))
        #expect(DurationText.show(duration) == shown)
    }

    @Test(arguments: [
        "", "1", "d", "1 d", " 1d", "1d ", "-1d", "+1d", "1.5h", "1D", "1min", "1s1h", "1h1h", "1h30", "1ns",
        "1µs", "１d",
        "106751992d", "99999999999999999999s", "9223372036854775807us1us", "1_000s", "0x1s", "1d\u{301}",
    ])
    func notDurations(_ text: String) { #expect(DurationText.parse(text) == nil) }

    @Test(arguments: [
        ("64KiB", 65536, "64KiB"), ("4MiB", 4_194_304, "4MiB"), ("512", 512, "512B"), ("0", 0, "0B"),
        ("1B", 1, "1B"),
        ("1024", 1024, "1KiB"), ("3GiB", 3_221_225_472, "3GiB"), ("1TiB", 1_099_511_627_776, "1TiB"),
        ("9223372036854775807", .max, "9223372036854775807B"), ("8388607TiB", 8_388_607 << 40, "8388607TiB"),
    ])
    func sizes(_ text: String, _ bytes: Int, _ shown: String) throws {
        #expect(try #require(SizeText.parse(text)) == bytes)
        #expect(SizeText.show(bytes) == shown)
    }

    @Test(arguments: [
        "", "B", "KiB", "1KB", "1kb", "1k", "1K", "1M", "1MB", "1 MiB", "1MiB ", "-1", "+1", "1.5MiB", "1mib",
        "1KiB1B",
        "8388608TiB", "9223372036854775808", "１MiB",
    ])
    func notSizes(_ text: String) { #expect(SizeText.parse(text) == nil) }

    @Test func whatIsShownReadsTheSame() {
        var random = Trials.generator("settings.quantities")
        for _ in 0..<Trials.count(1_000, full: 100_000) {
            let bits = Int64.random(in: 0...62, using: &random)
            let number = Int64.random(in: 0...(1 << bits), using: &random)
            #expect(DurationText.parse(DurationText.show(.microseconds(number))) == .microseconds(number))
            #expect(SizeText.parse(SizeText.show(Int(number))) == Int(number))
        }
    }
}
