<?php
/**
 * Plugin Name: Redis object cache of dockhost.azure
 * Description: Keeps WordPress's object cache in Redis over a persistent stream; needs no PHP extension, and goes on without Redis.
 *
 * Copyright (c) 2026 The dockhost.azure authors
 * GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Settings come from the environment: WORDPRESS_REDIS_HOST, WORDPRESS_REDIS_PORT (6379), WORDPRESS_REDIS_PASSWORD_FILE or
 * WORDPRESS_REDIS_PASSWORD, WORDPRESS_REDIS_PREFIX, WORDPRESS_REDIS_MAX_TTL (3600). The functions are those that
 * wp-includes/cache.php documents. It is not derived from another drop-in.
 */

/** A connection to Redis that speaks RESP2 (https://redis.io/docs/latest/develop/reference/protocol-spec/). */
class Dockhost_Redis {
	const TIMEOUT = 1.0;

	private $stream = null;
	/** False once anything went wrong: the rest of this request does without Redis. */
	private $usable;

	private $host;
	private $port;
	private $password;

	public function __construct( $host, $port, $password ) {
		$this->host     = $host;
		$this->port     = $port;
		$this->password = $password;
		$this->usable   = '' !== $host;
	}

	public function usable() {
		return $this->usable;
	}

	/** One command; its reply, or null where Redis is away. A reply that Redis does not have is null, too. */
	public function command( ...$words ) {
		$replies = $this->pipeline( array( $words ) );
		return $replies ? $replies[0] : null;
	}

	/** Several commands in one round trip; their replies in order, or an empty array where Redis is away. */
	public function pipeline( array $commands ) {
		// A persistent stream may have been closed by Redis in the meantime, or hold the rest of another request's
		// reply: then, and only then, a fresh one is tried.
		for ( $attempt = 0; $this->usable && $attempt < 2; $attempt++ ) {
			try {
				return $this->exchange( $commands, 1 === $attempt );
			} catch ( RuntimeException $error ) {
				$this->close();
				if ( $attempt > 0 || 'down' === $error->getMessage() ) {
					$this->usable = false;
				}
			}
		}
		return array();
	}

	private function exchange( array $commands, $fresh ) {
		$first = null === $this->stream;
		$skip  = 0;
		if ( $first ) {
			$this->connect( $fresh );
			// The echo proves that the replies that follow are ours.
			$nonce = bin2hex( random_bytes( 8 ) );
			array_unshift( $commands, array( 'ECHO', $nonce ) );
			$skip = 1;
			if ( '' !== $this->password ) {
				array_unshift( $commands, array( 'AUTH', $this->password ) );
				$skip = 2;
			}
		}
		$request = '';
		foreach ( $commands as $words ) {
			$request .= '*' . count( $words ) . "\r\n";
			foreach ( $words as $word ) {
				$request .= '$' . strlen( (string) $word ) . "\r\n" . $word . "\r\n";
			}
		}
		$this->write( $request );
		$replies = array();
		foreach ( $commands as $index => $words ) {
			$replies[] = $this->read();
			if ( $first && $index === $skip - 1 && $replies[ $index ] !== $nonce ) {
				throw new RuntimeException( 'not our reply' );
			}
		}
		return array_slice( $replies, $skip );
	}

	private function connect( $fresh ) {
		$flags  = STREAM_CLIENT_CONNECT | STREAM_CLIENT_PERSISTENT;
		$stream = @stream_socket_client( "tcp://{$this->host}:{$this->port}", $number, $text, self::TIMEOUT, $flags );
		if ( $fresh && $stream && ftell( $stream ) > 0 ) {
			// Still an old one: closing takes it out of PHP's list of persistent streams.
			fclose( $stream );
			$stream = @stream_socket_client( "tcp://{$this->host}:{$this->port}", $number, $text, self::TIMEOUT, $flags );
		}
		if ( ! $stream ) {
			throw new RuntimeException( 'down' );
		}
		stream_set_timeout( $stream, (int) self::TIMEOUT, (int) ( fmod( self::TIMEOUT, 1 ) * 1000000 ) );
		$this->stream = $stream;
	}

	private function close() {
		if ( $this->stream ) {
			@fclose( $this->stream );
		}
		$this->stream = null;
	}

	private function write( $bytes ) {
		while ( '' !== $bytes ) {
			$written = @fwrite( $this->stream, $bytes );
			if ( ! $written ) {
				throw new RuntimeException( 'write' );
			}
			$bytes = (string) substr( $bytes, $written );
		}
	}

	private function read() {
		$line = @fgets( $this->stream );
		if ( false === $line || "\r\n" !== substr( $line, -2 ) ) {
			throw new RuntimeException( 'read' );
		}
		$rest = substr( $line, 1, -2 );
		switch ( $line[0] ) {
			case '+':
				return $rest;
			case ':':
				return (int) $rest;
			case '$':
				return (int) $rest < 0 ? null : substr( $this->bytes( (int) $rest + 2 ), 0, -2 );
			case '*':
				$items = array();
				for ( $left = (int) $rest; $left > 0; $left-- ) {
					$items[] = $this->read();
				}
				return $items;
			case '-':
				// A wrong password, a full memory, a Redis that still loads: nothing that the same command would survive.
				error_log( 'Redis object cache is not used: ' . $rest );
				throw new RuntimeException( 'down' );
		}
		throw new RuntimeException( 'not our reply' );
	}

	private function bytes( $length ) {
		$bytes = '';
		while ( strlen( $bytes ) < $length ) {
			$part = @fread( $this->stream, $length - strlen( $bytes ) );
			if ( false === $part || '' === $part ) {
				throw new RuntimeException( 'read' );
			}
			$bytes .= $part;
		}
		return $bytes;
	}
}

/** WordPress's object cache: this request's memory in front of Redis. */
class WP_Object_Cache {
	public $cache_hits   = 0;
	public $cache_misses = 0;

	private $memory = array();
	private $global = array();
	private $local  = array();
	private $redis;
	private $prefix;
	private $blog = '';
	private $max_ttl;

	public function __construct() {
		$host          = (string) getenv( 'WORDPRESS_REDIS_HOST' );
		$port          = (int) getenv( 'WORDPRESS_REDIS_PORT' );
		$this->redis   = new Dockhost_Redis( $host, $port ? $port : 6379, self::password() );
		$this->prefix  = getenv( 'WORDPRESS_REDIS_PREFIX' ) . ':';
		$max_ttl       = (int) getenv( 'WORDPRESS_REDIS_MAX_TTL' );
		// Whoever wrote while Redis was out of reach could not delete what is outdated there: nothing lives for ever.
		$this->max_ttl = $max_ttl > 0 ? $max_ttl : 3600;
		if ( function_exists( 'is_multisite' ) && is_multisite() ) {
			$this->switch_to_blog( get_current_blog_id() );
		}
	}

	private static function password() {
		$file = getenv( 'WORDPRESS_REDIS_PASSWORD_FILE' );
		if ( $file ) {
			return is_readable( $file ) ? rtrim( file_get_contents( $file ), "\r\n" ) : '';
		}
		return (string) getenv( 'WORDPRESS_REDIS_PASSWORD' );
	}

	public function connected() {
		return $this->redis->usable();
	}

	public function add_global_groups( $groups ) {
		$this->global = array_merge( $this->global, array_fill_keys( (array) $groups, true ) );
	}

	public function add_non_persistent_groups( $groups ) {
		$this->local = array_merge( $this->local, array_fill_keys( (array) $groups, true ) );
	}

	public function switch_to_blog( $blog_id ) {
		$this->blog = is_multisite() ? $blog_id . ':' : '';
	}

	public function add( $key, $data, $group, $expire ) {
		if ( wp_suspend_cache_addition() ) {
			return false;
		}
		return $this->store( $key, $data, $group, $expire, 'NX' );
	}

	public function replace( $key, $data, $group, $expire ) {
		return $this->store( $key, $data, $group, $expire, 'XX' );
	}

	public function set( $key, $data, $group, $expire ) {
		return $this->store( $key, $data, $group, $expire, '' );
	}

	private function store( $key, $data, $group, $expire, $rule ) {
		$name = $this->name( $key, $group );
		if ( null === $name ) {
			return false;
		}
		$here = array_key_exists( $name, $this->memory );
		if ( $this->in_memory_only( $group ) ) {
			if ( ( 'NX' === $rule && $here ) || ( 'XX' === $rule && ! $here ) ) {
				return false;
			}
		} elseif ( 'NX' === $rule && $here ) {
			return false;
		} else {
			$reply = $this->redis->command( ...$this->set_command( $name, $data, $expire, $rule ) );
			if ( $rule && 'OK' !== $reply && $this->redis->usable() ) {
				return false;
			}
		}
		$this->memory[ $name ] = self::copy( $data );
		return true;
	}

	private function set_command( $name, $data, $expire, $rule = '' ) {
		$expire  = (int) $expire;
		$ttl     = $expire > 0 ? min( $expire, $this->max_ttl ) : $this->max_ttl;
		$command = array( 'SET', $name, serialize( $data ), 'EX', $ttl );
		if ( $rule ) {
			$command[] = $rule;
		}
		return $command;
	}

	public function set_multiple( array $data, $group, $expire ) {
		$commands = array();
		$results  = array();
		foreach ( $data as $key => $value ) {
			$name            = $this->name( $key, $group );
			$results[ $key ] = null !== $name;
			if ( null === $name ) {
				continue;
			}
			$this->memory[ $name ] = self::copy( $value );
			$commands[]            = $this->set_command( $name, $value, $expire );
		}
		if ( $commands && ! $this->in_memory_only( $group ) ) {
			$this->redis->pipeline( $commands );
		}
		return $results;
	}

	public function get( $key, $group, $force, &$found ) {
		$values = $this->get_multiple( array( $key ), $group, $force, $found );
		return reset( $values );
	}

	public function get_multiple( array $keys, $group, $force, &$found = null ) {
		$names = array();
		$away  = array();
		foreach ( $keys as $key ) {
			$name          = $this->name( $key, $group );
			$names[ $key ] = $name;
			if ( null !== $name && ( $force || ! array_key_exists( $name, $this->memory ) ) ) {
				$away[] = $name;
			}
		}
		if ( $away && ! $this->in_memory_only( $group ) ) {
			$this->fetch( $away );
		}
		$values = array();
		foreach ( $names as $key => $name ) {
			$found          = null !== $name && array_key_exists( $name, $this->memory );
			$values[ $key ] = $found ? self::copy( $this->memory[ $name ] ) : false;
			$found ? ++$this->cache_hits : ++$this->cache_misses;
		}
		return $values;
	}

	private function fetch( array $names ) {
		$replies = $this->redis->command( 'MGET', ...$names );
		foreach ( is_array( $replies ) ? $replies : array() as $index => $text ) {
			if ( null === $text ) {
				unset( $this->memory[ $names[ $index ] ] );
				continue;
			}
			$value = @unserialize( $text );
			if ( false !== $value || 'b:0;' === $text ) {
				$this->memory[ $names[ $index ] ] = $value;
			}
		}
	}

	public function delete( $key, $group ) {
		$results = $this->delete_multiple( array( $key ), $group );
		return reset( $results );
	}

	public function delete_multiple( array $keys, $group ) {
		$results  = array();
		$commands = array();
		foreach ( $keys as $key ) {
			$name            = $this->name( $key, $group );
			$results[ $key ] = null !== $name && array_key_exists( $name, $this->memory );
			if ( null !== $name ) {
				unset( $this->memory[ $name ] );
				$commands[ $key ] = array( 'DEL', $name );
			}
		}
		if ( $commands && ! $this->in_memory_only( $group ) ) {
			$replies = $this->redis->pipeline( array_values( $commands ) );
			foreach ( array_keys( $commands ) as $index => $key ) {
				$results[ $key ] = $results[ $key ] || ! empty( $replies[ $index ] );
			}
		}
		return $results;
	}

	/** As WordPress's own cache: false for what is not there, 0 instead of what is no number, never below 0. */
	public function increase( $key, $offset, $group ) {
		$value = $this->get( $key, $group, true, $found );
		if ( ! $found ) {
			return false;
		}
		$value = max( 0, ( is_numeric( $value ) ? $value : 0 ) + (int) $offset );
		$this->set( $key, $value, $group, 0 );
		return $value;
	}

	public function flush() {
		$this->memory = array();
		return 'OK' === $this->redis->command( 'FLUSHDB' ) || ! $this->redis->usable();
	}

	public function flush_runtime() {
		$this->memory = array();
		return true;
	}

	public function stats() {
		printf(
			'<p>Hits: %d<br>Misses: %d<br>Redis: %s</p>',
			$this->cache_hits,
			$this->cache_misses,
			$this->connected() ? 'used' : 'not used'
		);
	}

	private function name( $key, $group ) {
		if ( ! is_int( $key ) && ( ! is_string( $key ) || '' === trim( $key ) ) ) {
			return null;
		}
		$group = self::group( $group );
		return $this->prefix . ( isset( $this->global[ $group ] ) ? '' : $this->blog ) . $group . ':' . $key;
	}

	private function in_memory_only( $group ) {
		return isset( $this->local[ self::group( $group ) ] ) || ! $this->redis->usable();
	}

	private static function group( $group ) {
		return $group ? $group : 'default';
	}

	private static function copy( $value ) {
		return is_object( $value ) ? clone $value : $value;
	}
}

function wp_cache_init() {
	$GLOBALS['wp_object_cache'] = new WP_Object_Cache();
}

function wp_cache_supports( $feature ) {
	return in_array( $feature, array( 'add_multiple', 'set_multiple', 'get_multiple', 'delete_multiple', 'flush_runtime' ), true );
}

function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->add( $key, $data, $group, $expire );
}

function wp_cache_add_multiple( array $data, $group = '', $expire = 0 ) {
	$results = array();
	foreach ( $data as $key => $value ) {
		$results[ $key ] = wp_cache_add( $key, $value, $group, $expire );
	}
	return $results;
}

function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->replace( $key, $data, $group, $expire );
}

function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set( $key, $data, $group, $expire );
}

function wp_cache_set_multiple( array $data, $group = '', $expire = 0 ) {
	return $GLOBALS['wp_object_cache']->set_multiple( $data, $group, $expire );
}

function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	return $GLOBALS['wp_object_cache']->get( $key, $group, $force, $found );
}

function wp_cache_get_multiple( $keys, $group = '', $force = false ) {
	return $GLOBALS['wp_object_cache']->get_multiple( (array) $keys, $group, $force );
}

function wp_cache_delete( $key, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete( $key, $group );
}

function wp_cache_delete_multiple( array $keys, $group = '' ) {
	return $GLOBALS['wp_object_cache']->delete_multiple( $keys, $group );
}

function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->increase( $key, $offset, $group );
}

function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return $GLOBALS['wp_object_cache']->increase( $key, -1 * (int) $offset, $group );
}

function wp_cache_flush() {
	return $GLOBALS['wp_object_cache']->flush();
}

function wp_cache_flush_runtime() {
	return $GLOBALS['wp_object_cache']->flush_runtime();
}

function wp_cache_flush_group( $group ) {
	return false;
}

function wp_cache_close() {
	return true;
}

function wp_cache_add_global_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_global_groups( $groups );
}

function wp_cache_add_non_persistent_groups( $groups ) {
	$GLOBALS['wp_object_cache']->add_non_persistent_groups( $groups );
}

function wp_cache_switch_to_blog( $blog_id ) {
	$GLOBALS['wp_object_cache']->switch_to_blog( $blog_id );
}

function wp_cache_reset() {
	wp_cache_flush_runtime();
}
