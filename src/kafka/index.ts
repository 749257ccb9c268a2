export { kafkaClient, type KafkaLog, type KafkaOptions, type KafkaSasl, type KafkaTls } from './client.js';

export { formatKafkaOffset, parseKafkaOffset, type KafkaOffset } from './position.js';
