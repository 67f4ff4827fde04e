// SPDX-License-Identifier: Apache-2.0

/// Something that a loop does later, once, unless it is cancelled before.
public final class LoopTimer {
    let deadline: UInt64
    private(set) var action: (() -> Void)?
    /// Its place in the heap, for `cancel`.
    fileprivate var place = -1

    init(deadline: UInt64, action: @escaping () -> Void) {
        self.deadline = deadline
        self.action = action
    }

    /// Takes what there is to do, so that it is done once.
    func take() -> (() -> Void)? {
        defer { action = nil }
        return action
    }
}

/// Timers ordered by deadline: a binary heap whose members know their place.
struct TimerHeap {
    private var timers: [LoopTimer] = []

    var count: Int { timers.count }
    var nextDeadline: UInt64? { timers.first?.deadline }

    mutating func insert(_ timer: LoopTimer) {
        timer.place = timers.count
        timers.append(timer)
        rise(timer.place)
    }

    mutating func remove(_ timer: LoopTimer) {
        let place = timer.place
        guard place >= 0 else { return }
        timer.place = -1
        guard let last = timers.popLast(), last !== timer else { return }
        timers[place] = last
        last.place = place
        rise(place)
        sink(last.place)
    }

    /// The timer that is due first, if one is due at `now`.
    mutating func popDue(_ now: UInt64) -> LoopTimer? {
        guard let first = timers.first, first.deadline <= now else { return nil }
        remove(first)
        return first
    }

    private mutating func rise(_ start: Int) {
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard timers[place].deadline < timers[parent].deadline else { return }
            exchange(place, parent)
            place = parent
        }
    }

    private mutating func sink(_ start: Int) {
        var place = start
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < timers.count && timers[child].deadline < timers[least].deadline { least = child }
            guard least != place else { return }
            exchange(place, least)
            place = least
        }
    }

    private mutating func exchange(_ one: Int, _ other: Int) {
        timers.swapAt(one, other)
        timers[one].place = one
        timers[other].place = other
    }
}
