export { kafkaClient, type KafkaOptions } from './client.js';
export { formatKafkaOffset, parseKafkaOffset } from './position.js';
