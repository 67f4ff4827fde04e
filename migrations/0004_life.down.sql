DROP TABLE freeze;
