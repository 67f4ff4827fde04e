// SPDX-License-Identifier: Apache-2.0

/// Many queues that take turns: one element of each lane that has some, then the next of each.
struct TurnQueue<Element> {
    /// The elements of one lane, first in, first out.
    final class Lane {
        fileprivate var elements: [Element] = []
        fileprivate var head = 0
        fileprivate var waits = false

        fileprivate func pop() -> Element {
            let element = elements[head]
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: elements.count < 64)
                head = 0
            } else if head == 512 {
                elements.removeFirst(head)
                head = 0
            }
            return element
        }
    }

    /// The lanes with elements, in the order of their turns.
    private var turns: [Lane] = []
    private var head = 0
    private(set) var count = 0

    mutating func add(_ element: Element, to lane: Lane) {
        lane.elements.append(element)
        count += 1
        if !lane.waits {
            lane.waits = true
            turns.append(lane)
        }
    }

    mutating func pop() -> Element? {
        guard head < turns.count else { return nil }
        let lane = turns[head]
        head += 1
        let element = lane.pop()
        count -= 1
        if lane.elements.isEmpty { lane.waits = false } else { turns.append(lane) }
        if head == turns.count {
            turns.removeAll(keepingCapacity: true)
            head = 0
        } else if head == 512 {
            turns.removeFirst(head)
            head = 0
        }
        return element
    }
}
