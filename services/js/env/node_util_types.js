'use strict';

module.exports = require('internal/inspect_kinds').types;
