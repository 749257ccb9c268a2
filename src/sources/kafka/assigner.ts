import kafkajs, { type PartitionAssigner } from 'kafkajs';
import { assignSticky, type Member } from './assignment.js';

const { AssignerProtocol } = kafkajs;

/** Of the group's protocol; a change of what `userData` holds needs another. */
const NAME = 'blinkstream-sticky';
const VERSION = 1;

/**
 * Gives each member what it reads already, as far as equal shares allow. kafkajs's own assigner deals the partitions
 * anew whenever a member joins or leaves, and each that changes hands is interrupted for as long as its hand-over takes.
 * @param owned what this member reads now, by partition with the time at which it began; asked when it joins
 */
export const stickyAssigner =
  (owned: () => ReadonlyMap<number, number>): PartitionAssigner =>
  ({ cluster }) => ({
    name: NAME,
    version: VERSION,
    protocol: ({ topics }) => ({
      name: NAME,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: VERSION,
        topics,
        userData: Buffer.from(JSON.stringify([...owned()])),
      }),
    }),
    assign: ({ members, topics }) => {
      const group = members.map(({ memberId, memberMetadata }): Member => {
        const metadata = AssignerProtocol.MemberMetadata.decode(memberMetadata);
        return { id: memberId, owned: ownedOf(metadata?.userData) };
      });
      const assigned = new Map<string, Record<string, number[]>>(group.map(({ id }) => [id, {}]));
      for (const topic of topics) {
        const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
        for (const [id, own] of assignSticky(partitions, group)) {
          const topicsOf = assigned.get(id);
          if (topicsOf !== undefined && own.length > 0) topicsOf[topic] = own;
        }
      }
      return Promise.resolve(
        [...assigned].map(([memberId, assignment]) => ({
          memberId,
          memberAssignment: AssignerProtocol.MemberAssignment.encode({
            version: VERSION,
            assignment,
            userData: Buffer.alloc(0),
          }),
        })),
      );
    },
  });

/** Anything else is from a member that owns nothing as far as is known: it costs a move, no more. */
function ownedOf(userData: Buffer | undefined): Map<number, number> {
  try {
    const pairs: unknown = JSON.parse(userData?.toString() ?? '[]');
    return new Map(Array.isArray(pairs) ? pairs.filter(isPair) : []);
  } catch {
    return new Map();
  }
}

const isPair = (pair: unknown): pair is [number, number] =>
  Array.isArray(pair) && pair.length === 2 && pair.every((part) => Number.isFinite(part));
