import type { WritePart } from "../core/write.ts";
import { both } from "./condition.ts";
import { type Assignment, type ItemWrite, toAction } from "./item-write.ts";
import { merged } from "./merge.ts";

/** A part of a write of this folder, which knows what it is made of. */
export interface ItemPart extends WritePart {
  readonly write: ItemWrite;
}

/**
 * The part that carries `write` out. It leaves the write's id in the item and is refused where the id stands there
 * already: however often the request is repeated on the way, it is carried out once, until another write has followed it.
 */
export function itemPart(write: ItemWrite): ItemPart {
  const { writeId } = write;
  if (writeId === undefined) return partOf(write);
  const mark: Assignment = { op: "set", value: writeId.id };
  return partOf({
    ...write,
    assignments: new Map([...write.assignments, [writeId.attribute, mark]]),
    condition: both(write.condition, { test: "differs", attribute: writeId.attribute, value: writeId.id }),
  });
}

function partOf(write: ItemWrite): ItemPart {
  return {
    write,
    table: write.table,
    key: write.key,
    writeId: write.writeId?.id,
    mayRepeat: write.mayRepeat,
    action: () => toAction(write),
    merge: (other) => partOf(merged(write, (other as Partial<ItemPart>).write)),
  };
}
