import { phases } from '../../records/index.js';
import { idPart, type Topics } from './topics.js';

/** A retained message by which Home Assistant makes a device. */
export interface Discovery {
  readonly topic: string;
  readonly payload: string;
}

/**
 * A source as a device of Home Assistant: whether something has changed, the last sentence, and an entity for its events.
 * One message a device, which Home Assistant takes from 2024.11 on,
 * https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. What is said of a source is read out of the
 * messages that everybody gets.
 */
export function discoveryOf(source: string, topics: Topics, discoveryPrefix: string): Discovery {
  // Two underscores stand in no part, so that prefix and source cannot be taken for others.
  const id = `${idPart(topics.prefix)}__${idPart(source)}`;
  const state_topic = topics.state(source);
  const payload = {
    device: { identifiers: [id], name: source, manufacturer: 'Blinkstream', model: 'Change tracking' },
    origin: { name: 'Blinkstream' },
    components: {
      change: {
        platform: 'binary_sensor',
        unique_id: `${id}__change`,
        name: 'Change',
        icon: 'mdi:eye-outline',
        state_topic,
        value_template: '{{ value_json.change }}',
        json_attributes_topic: state_topic,
        json_attributes_template: "{{ {'open': value_json.open} | tojson }}",
      },
      sentence: {
        platform: 'sensor',
        unique_id: `${id}__sentence`,
        name: 'Last sentence',
        icon: 'mdi:text',
        state_topic,
        value_template: '{{ value_json.sentence }}',
        json_attributes_topic: state_topic,
        json_attributes_template: "{{ {'event_id': value_json.eventId} | tojson }}",
      },
      event: {
        platform: 'event',
        unique_id: `${id}__event`,
        name: 'Event',
        icon: 'mdi:timeline-text-outline',
        state_topic: topics.event(source),
        event_types: phases.map((phase) => phase.toLowerCase()),
        value_template:
          "{{ {'event_type': value_json.phase | lower, 'kind': value_json.kind, 'statement': value_json.statement, " +
          "'event_id': value_json.eventId, 'change_id': value_json.changeId} | tojson }}",
      },
    },
    availability_topic: topics.status,
    qos: 1,
  };
  return { topic: `${discoveryPrefix}/device/${id}/config`, payload: JSON.stringify(payload) };
}
