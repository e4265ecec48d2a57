<?php
/**
 * Installs WordPress once, without a browser: waits for the database, makes the tables, the administrator and the first post.
 * Run again it only brings title, address and e-mail in line with the settings, and gives the administrator a new password where the secret is a new one.
 *
 * Copyright (c) 2026 The dockhost.azure authors
 * GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */

/** Ends the job with one sentence; the code tells swarm that it failed. */
function dockhost_fail( $sentence ) {
	fwrite( STDERR, "install: $sentence\n" );
	exit( 1 );
}

function dockhost_setting( $name, $default = '' ) {
	$file = getenv( "{$name}_FILE" );
	if ( $file ) {
		is_readable( $file ) || dockhost_fail( "{$name}_FILE names $file, which cannot be read." );
		return rtrim( file_get_contents( $file ), "\r\n" );
	}
	$value = getenv( $name );
	return false === $value ? $default : $value;
}

/** Waits while the database is starting; anything else that keeps us out will not pass by itself. */
function dockhost_wait_for_database( $seconds ) {
	mysqli_report( MYSQLI_REPORT_OFF );
	list( $host, $port ) = array_pad( explode( ':', dockhost_setting( 'WORDPRESS_DB_HOST', 'mysql' ), 2 ), 2, '' );
	$user     = dockhost_setting( 'WORDPRESS_DB_USER' );
	$password = dockhost_setting( 'WORDPRESS_DB_PASSWORD' );
	$database = dockhost_setting( 'WORDPRESS_DB_NAME', 'wordpress' );
	$end      = time() + $seconds;
	while ( true ) {
		$link = mysqli_init();
		$link->options( MYSQLI_OPT_CONNECT_TIMEOUT, 3 );
		if ( @$link->real_connect( $host, $user, $password, $database, (int) $port ? (int) $port : 3306 ) ) {
			$link->close();
			return;
		}
		$number = mysqli_connect_errno();
		$text   = mysqli_connect_error();
		if ( 1045 === $number || 1044 === $number ) {
			dockhost_fail( "the database refuses user $user: the password of the volume's database is another one than the secret's ($text)." );
		}
		if ( 1049 === $number ) {
			dockhost_fail( "the database server has no database $database ($text)." );
		}
		if ( time() > $end ) {
			dockhost_fail( "the database on $host did not answer within $seconds s ($text)." );
		}
		sleep( 1 );
	}
}

/** No mail goes out, and the installer's look at its own address over HTTP is not needed: the image has the rewrite rules. */
function wp_new_blog_notification() {
}

function dockhost_install( $title, $user, $email ) {
	$password = dockhost_setting( 'DOCKHOST_ADMIN_PASSWORD' );
	'' !== $password || dockhost_fail( 'there is no password for the administrator.' );
	$permalinks = static function () {
		return '/%year%/%monthnum%/%postname%/';
	};
	add_filter( 'pre_option_permalink_structure', $permalinks );
	$result = wp_install( $title, $user, $email, true, '', wp_slash( $password ) );
	remove_filter( 'pre_option_permalink_structure', $permalinks );
	is_wp_error( $result ) && dockhost_fail( $result->get_error_message() );
	update_option( 'permalink_structure', $permalinks() );
	// Visitors' addresses are not sent to gravatar.com unless somebody wants it.
	update_option( 'show_avatars', 0 );
	wp_delete_comment( 1, true );
	$post = array(
		'ID'           => 1,
		'post_title'   => dockhost_setting( 'DOCKHOST_POST_TITLE', 'Hello world!' ),
		'post_content' => dockhost_setting( 'DOCKHOST_POST_CONTENT' ),
	);
	wp_update_post( wp_slash( array_filter( $post ) ) );
}

/**
 * A secret that is another one than in the run before is the administrator's new password. Which one that was is told by a hash of it, so that
 * a password that the administrator has chosen in the dashboard stays for as long as the secret does.
 */
function dockhost_password( $user ) {
	$password = dockhost_setting( 'DOCKHOST_ADMIN_PASSWORD' );
	$known    = (string) get_option( 'dockhost_admin_password', '' );
	if ( '' === $password || ( '' !== $known && wp_check_password( $password, $known ) ) ) {
		return;
	}
	$account = get_user_by( 'login', $user );
	if ( '' !== $known && $account ) {
		wp_set_password( $password, $account->ID );
		echo "install: the password of $user is set\n";
	}
	update_option( 'dockhost_admin_password', wp_hash_password( $password ), false );
}

/** What the playbook owns of an installed blog. */
function dockhost_converge( $title, $email, $url ) {
	$wanted = array(
		'blogname'    => $title,
		'admin_email' => $email,
	);
	if ( '' !== $url ) {
		$wanted['siteurl'] = $url;
		$wanted['home']    = $url;
	}
	foreach ( $wanted as $name => $value ) {
		// WordPress keeps quotes in titles as entities.
		if ( html_entity_decode( (string) get_option( $name ), ENT_QUOTES ) !== $value ) {
			update_option( $name, $value );
			echo "install: $name is set\n";
		}
	}
}

dockhost_wait_for_database( (int) dockhost_setting( 'DOCKHOST_DATABASE_TIMEOUT', '120' ) );
$url                        = rtrim( dockhost_setting( 'DOCKHOST_SITE_URL' ), '/' );
$_SERVER['HTTP_HOST']       = $url ? parse_url( $url, PHP_URL_HOST ) : 'localhost';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['SERVER_NAME']     = $_SERVER['HTTP_HOST'];
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
define( 'WP_INSTALLING', true );
require '/usr/src/wordpress/wp-config-docker.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
$title = dockhost_setting( 'DOCKHOST_TITLE', 'Blog' );
$user  = dockhost_setting( 'DOCKHOST_ADMIN_USER', 'admin' );
$email = dockhost_setting( 'DOCKHOST_ADMIN_EMAIL' );
if ( is_blog_installed() ) {
	echo "install: WordPress is installed already\n";
} else {
	dockhost_install( $title, $user, $email );
	echo "install: WordPress is installed\n";
}
dockhost_converge( $title, $email, $url );
dockhost_password( $user );
// Whoever asked before the tables were there has left "nothing there" in the cache.
wp_cache_flush();
